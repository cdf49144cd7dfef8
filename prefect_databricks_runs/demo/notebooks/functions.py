# Databricks notebook source
import json
import time
from pathlib import Path
from statistics import median

folder = Path(dbutils.widgets.get("folder"))
modules = json.loads((folder / "modules.json").read_text())

# COMMAND ----------

functions = [(each["lines"], f"{row['module']}.{each['name']}") for row in modules for each in row["functions"]]
longest = sorted(functions, reverse=True)[:5]
summary = {"count": len(functions), "median_lines": median(lines for lines, _ in functions), "longest": longest}
(folder / "functions.json").write_text(json.dumps(summary))
time.sleep(2)  # long enough to watch, and to show its name
dbutils.notebook.exit(f"{summary['count']} functions, median {summary['median_lines']:g} lines")
