"""Bundles are put together as a deployment does it, and what only the deployment knows is never a fault."""

from __future__ import annotations

from pathlib import Path

import pytest

from prefect_databricks_runs._check_job.findings import Results
from tests.check_job.test_corpus import found, said

JOB = """\
resources:
  jobs:
    nightly:
      job_clusters:
        - job_cluster_key: small
          new_cluster: {spark_version: 15.4.x-scala2.12, node_type_id: i3.xlarge, num_workers: 1}
      tasks:
        - task_key: a
          job_cluster_key: small
          notebook_task: {notebook_path: /Shared/a}
"""


def written(folder: Path, **files: str) -> Path:
    """Write the files of a bundle; `resources__job` is `resources/job.yml`."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def root(more: str = "") -> str:
    return f"bundle: {{name: b}}\ninclude: [resources/*.yml]\n{more}"


def with_line(line: str) -> str:
    """The job with another line in its task."""
    return f"{JOB}          {line}\n"


def of_cluster(key: str) -> str:
    """The job with another cluster for its task."""
    return JOB.replace("small\n          notebook", f"{key}\n          notebook")


def checked(results: Results) -> list[tuple[str, str | None]]:
    return [(each.job, each.target) for each in results.checked]


TARGETS = "targets:\n  dev: {}\n  prod:\n    resources: {jobs: {nightly: {tasks: [{task_key: a, max_retries: x}]}}}\n"


@pytest.mark.parametrize(
    ("targets", "wanted", "all_targets", "expected"),
    [
        ("", (), False, [None]),
        ("targets: {dev: {}}\n", (), False, ["dev"]),
        ("targets: {dev: {}, prod: {}}\n", (), False, ["dev", "prod"]),
        ("targets: {dev: {}, prod: {default: true}}\n", (), False, ["prod"]),
        ("targets: {dev: {}, prod: {default: true}}\n", (), True, ["dev", "prod"]),
        ("targets: {dev: {}, prod: {default: true}}\n", ("dev",), False, ["dev"]),
        ("targets:\n  dev:\n  prod:\n", ("dev", "prod"), False, ["dev", "prod"]),
        ("environments: {dev: {}, prod: {}}\n", ("prod",), False, ["prod"]),
    ],
)
def test_the_targets_that_are_checked_are_the_named_or_the_default_or_all(
    tmp_path: Path, targets: str, wanted: tuple[str, ...], all_targets: bool, expected: list[str | None]
) -> None:
    written(tmp_path, databricks=root(targets), resources__job=JOB)
    results = found(tmp_path, targets=wanted, all_targets=all_targets)
    assert said(results) == []
    assert checked(results) == [("nightly", each) for each in expected]


def test_an_unknown_target_is_an_error_that_names_the_known_ones(tmp_path: Path) -> None:
    written(tmp_path, databricks=root(TARGETS), resources__job=JOB)
    results = found(tmp_path, targets=("pord",))
    assert results.exit_code(strict=False) == 2
    assert "The bundle has no target pord; its targets are: dev, prod." in said(results)[0]


def test_what_is_wrong_in_some_targets_names_them_and_what_is_wrong_in_all_does_not(tmp_path: Path) -> None:
    written(tmp_path, databricks=root(TARGETS), resources__job=with_line("timeout_seconds: -1"))
    results = found(tmp_path)
    assert [(each.path, each.targets) for each in results.findings] == [
        ("tasks[0].max_retries", ("prod",)),
        ("tasks[0].timeout_seconds", ()),
    ]


def test_a_file_is_checked_in_the_bundle_that_includes_it_and_the_other_files_are_not(tmp_path: Path) -> None:
    written(
        tmp_path,
        databricks=root("variables: {cluster: {default: smal}}\n"),
        resources__job=of_cluster("${var.cluster}"),
        resources__other=JOB.replace("nightly", "other").replace("/Shared/a", "a a"),
    )  # fmt: skip
    results = found(tmp_path / "resources" / "job.yml")
    assert checked(results) == [("nightly", None)]
    assert ["Job cluster 'smal' is not defined" in each for each in said(results)] == [True]


def test_a_file_is_checked_once_if_its_bundle_is_named_too(tmp_path: Path) -> None:
    written(tmp_path, databricks=root(), resources__job=JOB)
    results = found(tmp_path / "resources" / "job.yml", tmp_path, tmp_path / "databricks.yml")
    assert checked(results) == [("nightly", None)]


def test_a_target_that_changes_a_job_is_checked_with_the_file_of_the_target(tmp_path: Path) -> None:
    written(tmp_path, databricks=root(), resources__job=JOB, resources__targets=TARGETS)
    results = found(tmp_path / "resources" / "targets.yml")
    assert [(each.path, each.targets) for each in results.findings] == [("tasks[0].max_retries", ("prod",))]


UNKNOWN = {
    "variable without default": ("variables: {x: {description: given later}}\n", "${var.x}"),
    "variable with an empty default": ("variables: {x: {default: ''}}\n", "${var.x}"),
    "empty variable": ("variables:\n  x:\n", "${var.x}"),
    "lookup": ("variables: {x: {lookup: {cluster: a}}}\n", "${var.x}"),
    "part of a text": ("variables: {x: {}}\n", "s${var.x}l"),
    "of the workspace": ("", "${workspace.current_user.short_name}"),
    "of git": ("", "${bundle.git.branch}"),
    "of an artifact": ("", "${artifacts.a.b}"),
    "of another program": ("", "${HOME}"),
    "variable in a variable's name": (
        "variables: {e: {default: dev}, x_dev: {default: small}}\n",
        "${var.x_${var.e}}",
    ),
    "circle": ("variables: {x: {default: '${var.y}'}, y: {default: 'a${var.x}'}}\n", "${var.x}"),
    "nothing of a complex variable": ("variables: {x: {default: {a: 1}}}\n", "${var.x.b}"),
    "escaped": ("", r"\${var.y}"),
}


@pytest.mark.parametrize(("variables", "reference"), UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_before_the_deployment_can_be_anything(
    tmp_path: Path, variables: str, reference: str
) -> None:
    written(tmp_path, databricks=root(variables), resources__job=of_cluster(reference))
    assert said(found(tmp_path)) == []


KNOWN = {
    "text": ("variables: {x: {default: big}}\n", "${var.x}", "big"),
    "text in a text": ("variables: {x: {default: 7}}\n", "b${var.x}-${bundle.name}", "b7-b"),
    "variable in a variable": ("variables: {x: {default: '${var.y}'}, y: {default: big}}\n", "${var.x}", "big"),
    "part of a complex one": ("variables: {x: {default: {k: [a, {b: big}]}}}\n", "${var.x.k[1].b}", "big"),
    "item of a complex one": ("variables: {x: {default: [a, big]}}\n", "${var.x[1]}", "big"),
    "short form": ("variables: {x: big}\n", "${var.x}", "big"),
    "in a target": ("variables: {x: {}}\ntargets: {t: {variables: {x: big}}}\n", "${var.x}", "big"),
    "definition in a target": (
        "variables: {x: {default: small}}\ntargets: {t: {variables: {x: {default: big}}}}\n",
        "${var.x}",
        "big",
    ),
    "target": ("targets: {big: {}}\n", "${bundle.target}", "big"),
}


@pytest.mark.parametrize(("variables", "reference", "value"), KNOWN.values(), ids=KNOWN)
def test_references_are_filled_in_as_far_as_they_are_known(
    tmp_path: Path, variables: str, reference: str, value: str
) -> None:
    written(tmp_path, databricks=root(variables), resources__job=of_cluster(reference))
    assert any(f"Job cluster {value!r} is not defined" in each for each in said(found(tmp_path)))


INCOMPLETE = {
    "no root": {},
    "an include that has nothing": {"databricks": root().replace("*.yml]", "*.yml, generated/*.yml]")},
    "resources made by code": {"databricks": root("python: {resources: ['a:load']}\n")},
}


@pytest.mark.parametrize("files", INCOMPLETE.values(), ids=INCOMPLETE)
def test_a_name_of_a_bundle_of_which_only_a_part_is_known_is_no_fault(tmp_path: Path, files: dict[str, str]) -> None:
    job = with_line("description: ${resources.jobs.x.id} ${var.x}")
    assert said(found(written(tmp_path, resources__job=job, **files))) == []


def test_a_key_with_a_reference_may_be_the_resource_that_is_meant(tmp_path: Path) -> None:
    keyed = JOB.replace("nightly", "${var.env}_job")
    written(
        tmp_path,
        databricks=root("variables: {env: {default: dev}}\n"),
        resources__keyed=keyed,
        resources__job=with_line("description: ${resources.jobs.dev_job.id}"),
    )
    assert said(found(tmp_path)) == []


def test_an_include_that_cannot_be_read_is_an_error_and_its_names_are_not_missed(tmp_path: Path) -> None:
    written(tmp_path, databricks=root(), resources__job=with_line("description: ${var.x}"), resources__odd="a: [")
    for named in (tmp_path / "databricks.yml", tmp_path):
        results = found(named)
        assert [each.severity for each in results.findings] == ["error"]
        assert results.findings[0].file.endswith("odd.yml")


def test_a_file_that_two_patterns_include_is_read_once(tmp_path: Path) -> None:
    twice = root().replace("[resources/*.yml]", "[resources/*.yml, resources/job.yml]")
    written(tmp_path, databricks=twice, resources__job=with_line("libraries: [{whl: a}, {jar: b, whl: b}]"))
    assert [each.path for each in found(tmp_path).findings] == ["tasks[0].libraries[1].jar"]


def test_a_path_to_a_file_begins_at_the_file_that_says_it_and_one_that_leads_nowhere_is_a_warning(
    tmp_path: Path,
) -> None:
    job = JOB.replace("/Shared/a", "../src/{name}.py")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").touch()
    written(tmp_path, databricks=root(), resources__job=job.replace("{name}", "a"))
    assert said(found(tmp_path)) == []
    written(tmp_path, resources__job=job.replace("{name}", "b"))
    results = found(tmp_path)
    assert [(each.severity, each.path) for each in results.findings] == [
        ("warning", "tasks[0].notebook_task.notebook_path")
    ]
    assert "'../src/b.py' does not exist" in results.findings[0].message


@pytest.mark.parametrize("key", ["cluster_id: 0101-a", "compute_id: 0101-a", "cluster_id: '${var.mine}'"])
def test_a_cluster_that_a_target_names_takes_the_place_of_the_compute_of_tasks(tmp_path: Path, key: str) -> None:
    each = "        - {task_key: each, for_each_task: {inputs: '[1]', task: {task_key: b, job_cluster_key: big}}}\n"
    each = each.replace("big}", "big, notebook_task: {notebook_path: /Shared/b}}")
    targets = f"variables: {{mine: {{}}}}\ntargets: {{dev: {{mode: development, {key}}}, prod: {{}}}}\n"
    written(tmp_path, databricks=root(targets), resources__job=of_cluster("big") + each)
    assert said(found(tmp_path, targets=("dev",))) == []
    assert len(found(tmp_path, targets=("prod",)).findings) == 2


def test_a_target_with_a_cluster_gives_none_to_a_task_without_compute(tmp_path: Path) -> None:
    task = "spark_python_task: {python_file: /Shared/a.py}"
    job = f"resources: {{jobs: {{nightly: {{tasks: [{{task_key: a, {task}}}]}}}}}}\n"
    written(tmp_path, databricks=root("targets: {dev: {cluster_id: 0101-a}}\n"), resources__job=job)
    assert ["needs compute" in each for each in said(found(tmp_path))] == [True]


def test_a_file_that_a_bundle_includes_belongs_to_it_even_if_it_does_not_look_so(tmp_path: Path) -> None:
    job = "{tasks: [{task_key: a, job_cluster_key: big, notebook_task: {notebook_path: /a}}]}"
    anchors = f"shared: &shared\n  nightly: {job}\n"
    run = "resources: {jobs: {all: {tasks: [{task_key: a, run_job_task: {job_id: '${resources.jobs.nightly.id}'}}]}}}\n"
    written(
        tmp_path,
        databricks=root("targets: {dev: {}}\n"),
        resources__a=f"{anchors}targets: {{dev: {{resources: {{jobs: {{<<: *shared}}}}}}}}\n",
        resources__b=run,
    )
    for named in (tmp_path, tmp_path / "resources", tmp_path / "resources" / "a.yml"):
        findings = found(named).findings
        assert [(each.severity, each.job, each.path) for each in findings] == [
            ("fault", "nightly", "tasks[0].job_cluster_key")
        ]


@pytest.mark.parametrize(
    "text",
    [
        "resources: [deployment.yaml, service.yaml]\n",
        "variables:\n  - {name: stage, value: dev}\n  - group: secrets\n",
        "resources: [{repo: self}]\nvariables: [{name: a, value: b}]\n",
        "targets: ['10.0.0.1:9090']\n",
        "include: {local: a.yml}\nvariables: {A: b}\n",
    ],
    ids=["Kustomize", "Azure Pipelines", "more of it", "Prometheus", "GitLab"],
)
def test_a_file_of_another_program_with_a_top_level_key_of_bundles_is_passed_over(tmp_path: Path, text: str) -> None:
    written(tmp_path, databricks=root(), resources__job=JOB, other=text)
    assert said(found(tmp_path)) == []
    assert [each.severity for each in found(tmp_path / "other.yml").findings] == ["error"]
    written(tmp_path, resources__other=text)  # which the bundle includes
    assert "warning" not in [each.severity for each in found(tmp_path).findings]


def test_a_bundles_own_file_is_one_whatever_is_in_it(tmp_path: Path) -> None:
    written(tmp_path, databricks="resources: [a]\n")
    assert said(found(tmp_path)) == ["fault  resources: must be an object, not a list."]


def test_a_bomb_of_variables_is_refused_in_bounded_time(tmp_path: Path) -> None:
    lines = ["  v0: {default: [x, x, x, x, x, x, x, x, x, x]}"]
    for n in range(1, 12):
        below = [f"'${{var.v{n - 1}}}'"] * 10
        lines.append(f"  v{n}: {{default: [{', '.join(below)}]}}")
    lines += ["  t0: {default: " + "x" * 1_000 + "}"]
    lines += ["  t%d: {default: '%s'}" % (n, "${var.t%d}" % (n - 1) * 1_000) for n in range(1, 8)]  # noqa: UP031
    variables = "variables:\n" + "\n".join(lines) + "\n"
    written(tmp_path, databricks=root(variables), resources__job=with_line("description: ${var.v11}${var.t7}"))
    assert said(found(tmp_path)) == []
    written(tmp_path, resources__job=with_line("libraries: ${var.v11}"))
    results = found(tmp_path)
    assert [each.severity for each in results.findings] == ["error"]
    assert "has more than 500,000 values" in results.findings[0].message


def test_a_folder_without_a_root_has_its_parts_checked_and_files_of_others_passed_over(tmp_path: Path) -> None:
    written(
        tmp_path,
        a__job=of_cluster("big"),
        b__workflow="on: push\njobs: {build: {runs-on: ubuntu, steps: [{run: make}]}}\n",
        b__playbook="- hosts: all\n  tasks: [{name: a, shell: b}]\n",
        b__package="name: a\ndescription: b\ntags: {c: d}\n",
        b__compose="services: {a: {image: b}}\n",
        b__pipeline="trigger: [main]\nresources: {repositories: []}\njobs: [{job: A, steps: []}]\n",
        node_modules__a__job=of_cluster("big"),
    )
    results = found(tmp_path)
    assert checked(results) == [("nightly", None)]
    assert [each.severity for each in results.findings] == ["fault"]


def test_a_later_document_of_a_bundles_file_is_a_warning_as_a_deployment_does_not_read_it(tmp_path: Path) -> None:
    written(tmp_path, databricks=root(), resources__job=JOB + "---\n" + JOB.replace("nightly", "other"))
    results = found(tmp_path)
    assert checked(results) == [("nightly", None)]
    assert [(each.severity, each.line) for each in results.findings] == [("warning", 12)]


def test_a_bundle_without_jobs_has_nothing_wrong(tmp_path: Path) -> None:
    pipelines = "x: &x {catalog: main}\nresources: {pipelines: {a: {name: a, <<: *x}}}\n"
    written(tmp_path, databricks=root(), resources__pipelines=pipelines)
    for name in (tmp_path, tmp_path / "resources" / "pipelines.yml"):
        assert (said(found(name)), checked(found(name))) == ([], [])
