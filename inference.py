"""ReXrank's entry point: drafts a report for every case of a file.

usage: python inference.py --input_json_file CASES.json --save_json_file PREDICTIONS.json --img_root_dir FOLDER
                           [--checkpoint NAME|FOLDER] [--weights FOLDER] [--split reports|findings] [--batch_size N]

Only the frontal film (`key_image_path`) and the context's indication and comparison are used, as the checkpoint was
trained. Films: PNG, JPEG or DICOM. Drafts are kept beside the result while it is written, so that a run which was
killed goes on where it stopped. A case whose film is not named, or cannot be read, is reported at the end and stays
without `model_prediction`; the exit code is then 1. A research system, not for diagnosis.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from model.manifest import BadCheckpoint, load_checkpoint
from training.evaluate.rexrank import PREDICTION, BadRecords, read_records, study_case, write_records

DEFAULT_CHECKPOINT = "unirg-cxr-8b"


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python inference.py", description="Draft a report for every ReXrank case.")
    parser.add_argument("--input_json_file", type=Path, required=True, help="ReXrank test cases")
    parser.add_argument("--save_json_file", type=Path, required=True, help="where the predictions go")
    parser.add_argument("--img_root_dir", type=Path, required=True, help="the folder that image paths are relative to")
    parser.add_argument("--checkpoint", default=DEFAULT_CHECKPOINT, help="name under model/checkpoints, or a folder")
    parser.add_argument("--weights", type=Path, help="folder of the weights, if elsewhere")
    parser.add_argument("--split", choices=("reports", "findings"), default="reports", help="which template is asked")
    parser.add_argument("--batch_size", type=int, default=4, help="cases drafted together")
    parser.add_argument("--device", help="of torch; default the first GPU, else the CPU")
    return parser.parse_args(argv)


def predict(asked: argparse.Namespace) -> dict[str, str]:
    """Write the predictions; returns the cases that have none, with the reason.

    Raises BadRecords, BadCheckpoint, OSError.
    """
    from training.evaluate.drafting import KeptDrafts, identity, write_drafts
    from training.evaluate.writing import Writer

    records = read_records(asked.input_json_file)
    cases = [study_case(name, record, asked.img_root_dir) for name, record in records.items()]
    checkpoint = load_checkpoint(asked.checkpoint, asked.weights)
    part = asked.save_json_file.with_name(f"{asked.save_json_file.name}.part.jsonl")
    kept = KeptDrafts(part, identity(checkpoint))
    writer = cache(lambda: Writer(checkpoint, asked.device))
    done = write_drafts(cases, asked.split, writer, kept, batch=asked.batch_size)
    predicted = {
        name: {key: value for key, value in record.items() if key != PREDICTION}
        | ({PREDICTION: done.drafts[name].text} if name in done.drafts else {})
        for name, record in records.items()
    }
    write_records(asked.save_json_file, predicted)
    part.unlink()
    return done.faults


def main(argv: Sequence[str]) -> int:
    """0: every case is drafted, 1: some are not, 2: nothing could be done."""
    asked = _arguments(argv)
    try:
        faults = predict(asked)
    except (BadCheckpoint, BadRecords, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for case, reason in faults.items():
        sys.stderr.write(f"no prediction for {case}: {reason}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
