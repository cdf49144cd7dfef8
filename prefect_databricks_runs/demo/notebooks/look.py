# Databricks notebook source
# MAGIC %md
# MAGIC One of the three looks, by its name: the task of a for-each task.

# COMMAND ----------

parameters = {"folder": dbutils.widgets.get("folder"), "fail": "false"}
dbutils.notebook.exit(dbutils.notebook.run(f"/Shared/demo/{dbutils.widgets.get('look')}", 0, parameters))
