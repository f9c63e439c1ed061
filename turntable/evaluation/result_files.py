"""The files of evaluations in the folder of a run, one folder for each data set and protocol.

    RUN/results/DATASET/PROTOCOL/results.json, details.npz, report.html

DATASET is the name of the data set; where another data set of that name was evaluated before, the beginning
of the fingerprint follows. Earlier versions wrote ``RUN/results.json``, which is still read.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

from turntable.errors import TurntableError
from turntable.evaluation.evaluation_results import EvaluationResults, read_results

RESULTS_FOLDER = "results"
"""Name of the folder of all evaluations, in the folder of a run."""
RESULTS_NAME, DETAILS_NAME, REPORT_NAME = "results.json", "details.npz", "report.html"
_CONFIG_NAME = "config.json"
"""Name of the file by which the folder of a run is known."""
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]|^[.]+")
"""Characters that names of folders are not made of: a name may come from anyone's manifest."""
_MAX_NAME_LENGTH = 80


@dataclass(frozen=True, slots=True)
class ResultFiles:
    """The files of one evaluation."""

    path: Path
    """Path of the results, usually called results.json."""
    run_folder: Path | None = None
    """Folder of the run; None if the files do not lie in one."""

    @property
    def details_path(self) -> Path:
        """Path of the arrays behind the figures."""
        return self.path.with_name(DETAILS_NAME)

    @property
    def report_path(self) -> Path:
        """Path of the page."""
        return self.path.with_name(REPORT_NAME)


def locate_result_files(run_dir: Path | str, results: EvaluationResults) -> ResultFiles:
    """Return the files that an evaluation of a run has in the run's folder, whether they exist or not.

    Args:
        run_dir: Folder of the run.
        results: Results of the evaluation.
    """
    name, split = str(results.protocol.get("name", "")), results.split
    protocol = _make_folder_name(name if split == "val" else f"{name}-{split}")
    parent = Path(run_dir) / RESULTS_FOLDER
    folder = choose_dataset_folder(parent, results.dataset, results.fingerprint, _read_result_owners)
    return ResultFiles(folder / protocol / RESULTS_NAME, Path(run_dir))


def list_result_files(run_dir: Path | str) -> tuple[ResultFiles, ...]:
    """List the files of all evaluations of a run by data set and protocol, then those of earlier versions."""
    found = sorted((Path(run_dir) / RESULTS_FOLDER).glob(f"*/*/{RESULTS_NAME}"))
    old = Path(run_dir) / RESULTS_NAME
    files = [ResultFiles(path, Path(run_dir)) for path in found]
    return (*files, find_result_files(old)) if old.is_file() else tuple(files)


def find_result_files(path: Path | str) -> ResultFiles:
    """Return the files of the evaluation with the results at a path, and the run in whose folder they are."""
    parents = Path(path).absolute().parents
    folders = [Path(path).parent]
    folders += [parents[3]] if len(parents) > 3 and parents[2].name == RESULTS_FOLDER else []
    return ResultFiles(Path(path), next((run for run in folders if (run / _CONFIG_NAME).is_file()), None))


def choose_dataset_folder(
    parent: Path, name: str, fingerprint: str, read_owners: Callable[[Path], Iterable[str]]
) -> Path:
    """Choose the folder of a data set: its name, with the fingerprint if another data set has that folder.

    Args:
        parent: Folder of the folders of all data sets.
        name: Name of the data set.
        fingerprint: Fingerprint of the data set.
        read_owners: Function from a folder to the fingerprints of the data sets that have files in it.
    """
    folder = parent / _make_folder_name(name)
    is_free = set(read_owners(folder)) <= {fingerprint}
    return folder if is_free else parent / f"{folder.name}-{fingerprint[:8]}"


def _read_result_owners(folder: Path) -> Iterator[str]:
    """Read the fingerprints of the data sets of all results in a folder that can be read."""
    for path in folder.glob(f"*/{RESULTS_NAME}"):
        with suppress(TurntableError, OSError):
            yield read_results(path).fingerprint


def _make_folder_name(name: str) -> str:
    """Make the name of a folder from any text; a digest tells texts apart that would have the same name."""
    safe = _UNSAFE.sub("-", name)[:_MAX_NAME_LENGTH]
    digest = f"{crc32(name.encode('utf-8', 'surrogatepass')):08x}"
    return name if safe == name and name else f"{safe}-{digest}" if safe else digest
