# Databricks notebook source
import json
import time
from pathlib import Path

folder = Path(dbutils.widgets.get("folder"))
functions, imports, docstrings = (
    json.loads((folder / f"{name}.json").read_text()) for name in ("functions", "imports", "docstrings")
)
modules = dbutils.jobs.taskValues.get(taskKey="clean", key="modules")

# COMMAND ----------

lines, name = functions["longest"][0]
text = (
    f"{modules} modules, {functions['count']} functions; "
    f"the longest is {name} ({lines} lines); "
    f"{docstrings['documented']:.0%} of the public ones are documented; "
    f"{imports[0][0]} is imported most ({imports[0][1]} modules)."
)
(folder / "report.md").write_text(f"# How Python's standard library is written\n\n{text}\n")
time.sleep(1)  # long enough to watch, and to show its name
dbutils.notebook.exit(text)
