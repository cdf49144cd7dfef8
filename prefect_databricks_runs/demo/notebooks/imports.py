# Databricks notebook source
import json
import time
from collections import Counter
from pathlib import Path

folder = Path(dbutils.widgets.get("folder"))
modules = json.loads((folder / "modules.json").read_text())

# COMMAND ----------

counts = Counter(name for row in modules for name in row["imports"])
(folder / "imports.json").write_text(json.dumps(counts.most_common(5)))
name, count = counts.most_common(1)[0]
time.sleep(2)  # long enough to watch, and to show its name
dbutils.notebook.exit(f"{name} is imported by {count} modules")
