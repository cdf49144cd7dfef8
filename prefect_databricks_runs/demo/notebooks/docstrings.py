# Databricks notebook source
import json
import time
from pathlib import Path

folder = Path(dbutils.widgets.get("folder"))
modules = json.loads((folder / "modules.json").read_text())

# COMMAND ----------

time.sleep(2)  # long enough to watch, and to show its name
if dbutils.widgets.get("fail") == "true":
    raise ValueError("the demo fails here on request")

# COMMAND ----------

public = [each for row in modules for each in row["functions"] if not each["name"].startswith("_")]
share = sum(each["documented"] for each in public) / len(public)
(folder / "docstrings.json").write_text(json.dumps({"functions": len(public), "documented": share}))
dbutils.notebook.exit(f"{share:.0%} of the public functions have a docstring")
