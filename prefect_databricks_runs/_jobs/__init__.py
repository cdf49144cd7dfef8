"""Apply a job: create the saved job, or reset it if a setting differs.

`wanted` reads the job that users pass; `difference` compares it with the saved job, and `permissions` compares the
permissions; `masking` keeps secrets out of the differences; `applying` creates or resets the job; `showing` reports it
to Prefect; `schedules` warns of two schedules.
"""
