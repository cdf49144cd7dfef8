# Databricks notebook source
# MAGIC %md
# MAGIC Keep the files that could be parsed and are public: no private modules, no empty files.

# COMMAND ----------

import json
import time
from pathlib import Path

folder = Path(dbutils.widgets.get("folder"))
rows = [json.loads(line) for line in (folder / "raw.jsonl").open()]

# COMMAND ----------


kept = [row for row in rows if "error" not in row and row["lines"] and not row["module"].startswith("_")]
(folder / "modules.json").write_text(json.dumps(kept))

# COMMAND ----------

dbutils.jobs.taskValues.set(key="modules", value=len(kept))
time.sleep(1)  # long enough to watch, and to show its name
dbutils.notebook.exit(f"{len(kept)} of {len(rows)} files kept")
