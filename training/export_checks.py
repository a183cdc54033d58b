"""Is this folder a checkpoint that transformers and vLLM load as it is, and the one that was evaluated?

Every check refuses with what is wrong and what to do; none repairs anything.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from safetensors import safe_open

from model.manifest import Checkpoint, load_checkpoint
from model.prompting import build_prompt
from model.weights_digest import weight_files

HF_NAME = re.compile(r"(?:model\.(?:visual|language_model)\.|lm_head\.weight$)")
"""Names of Qwen3VLForConditionalGeneration's tensors as transformers writes and vLLM reads them."""
MARKS = {
    "image_token_id": "<|image_pad|>",
    "video_token_id": "<|video_pad|>",
    "vision_start_token_id": "<|vision_start|>",
    "vision_end_token_id": "<|vision_end|>",
}


class BadExport(ValueError):
    """The checkpoint may not be exported; the message says what does not fit and what to do."""


def require_model_folder(folder: Path) -> None:
    """A whole model with its processor. Raises BadExport, also for adapters and shards of a distributed run."""
    if (folder / "adapter_config.json").is_file():
        raise BadExport(
            f"{folder} is a LoRA adapter; give the model it was trained on with --base, and it is merged in"
        )
    if not weight_files(folder):
        raise BadExport(
            f"{folder} has no *.safetensors; of an FSDP or DeepSpeed run save the gathered model first "
            "(accelerate merge-weights, or trainer.save_model)"
        )
    missing = [name for name in ("config.json", "tokenizer.json") if not (folder / name).is_file()]
    if missing:
        raise BadExport(f"{folder} lacks {', '.join(missing)}; save model and processor of the trainer there")


def check_names(folder: Path) -> None:
    """Every tensor has its Hugging Face name, and each is there once. Raises BadExport."""
    names: list[str] = []
    for path in weight_files(folder):
        with safe_open(path, "pt") as file:
            names += file.keys()
    wrong = [name for name in names if not HF_NAME.match(name)]
    if wrong:
        raise BadExport(
            f"{len(wrong)} tensors in {folder} have names that transformers and vLLM do not know, as {wrong[0]!r}; "
            "save the unwrapped model (accelerator.unwrap_model, merge_and_unload)"
        )
    if len(set(names)) != len(names):
        raise BadExport(f"{folder} has tensors twice: remove weight files of an earlier export from it")


def check_loaded(folder: Path, report: Mapping[str, Sequence[Any]]) -> None:
    """What from_pretrained(output_loading_info=True) says. Raises BadExport where a tensor is missing or odd."""
    faults = {kind: list(names) for kind, names in report.items() if kind != "error_msgs" and names}
    if faults:
        told = "; ".join(
            f"{kind.replace('_', ' ')}: {len(names)}, such as {next(iter(names))}" for kind, names in faults.items()
        )
        raise BadExport(f"the weights in {folder} do not fit their config.json ({told}); export the folder as trained")


def check_processor(folder: Path, processor: Any, image_size: int) -> None:
    """Tokenizer and image processor are those of these weights. Raises BadExport naming each thing that differs."""
    config = json.loads((folder / "config.json").read_text())
    vision, text = config["vision_config"], config["text_config"]
    tokenizer, images = processor.tokenizer, processor.image_processor
    faults = [
        f"{name} is {config.get(name)} in config.json and {tokenizer.convert_tokens_to_ids(mark)} in the tokenizer"
        for name, mark in MARKS.items()
        if config.get(name) != tokenizer.convert_tokens_to_ids(mark)
    ]
    pairs = {
        "patch size": (images.patch_size, vision["patch_size"]),
        "merge size": (images.merge_size, vision["spatial_merge_size"]),
        "temporal patch size": (images.temporal_patch_size, vision["temporal_patch_size"]),
    }
    faults += [
        f"{what} is {ours} in the processor and {its} in config.json"
        for what, (ours, its) in pairs.items()
        if ours != its
    ]
    if len(tokenizer) > text["vocab_size"]:
        faults.append(f"the tokenizer has {len(tokenizer)} tokens, the network {text['vocab_size']}")
    if not processor.chat_template:
        faults.append("the processor has no chat template")
    if faults or (faults := _image_faults(processor, image_size)):
        raise BadExport(f"the processor in {folder} is not the one of these weights: {'; '.join(faults)}. "
                        "Save the processor that the run was trained with beside them")  # fmt: skip


def _image_faults(processor: Any, size: int) -> list[str]:
    """A film of `size` px must reach the network as it is, as so many tokens as it has merged patches."""
    prompt = processor.apply_chat_template(
        build_prompt(None).chat_messages(), tokenize=False, add_generation_prompt=True
    )
    made = processor(text=[prompt], images=[[Image.new("RGB", (size, size))]], return_tensors="np")
    images = processor.image_processor
    grid, side = made["image_grid_thw"][0].tolist(), size // images.patch_size
    if grid != [1, side, side]:
        return [f"a film of {size} px becomes a grid of {grid[1]} x {grid[2]} patches, not {side} x {side}"]
    wanted = side * side // images.merge_size**2
    found = int((made["input_ids"] == processor.tokenizer.convert_tokens_to_ids(MARKS["image_token_id"])).sum())
    return [] if found == wanted else [f"a film is {found} tokens in the prompt, not {wanted}"]


def check_candidate(folder: Path) -> Checkpoint:
    """A prepared candidate, whole and unchanged. Raises BadExport, BadCheckpoint (digest, manifest, token ids)."""
    from transformers import AutoProcessor

    require_model_folder(folder)
    check_names(folder)
    checkpoint = load_checkpoint(folder)
    if not checkpoint.manifest.weights_sha256:
        raise BadExport(f"the manifest in {folder} states no digest; make the candidate with `training.export prepare`")
    checkpoint.weights_digest()
    checkpoint.check_decoding()
    check_processor(
        folder, AutoProcessor.from_pretrained(folder, local_files_only=True), checkpoint.manifest.image_size
    )
    return checkpoint


def check_evaluated(checkpoint: Checkpoint, results: Mapping[str, Any]) -> None:
    """The figures are of these bytes. Raises BadExport."""
    measured, here = results["system"]["weights"], checkpoint.weights_digest()
    if measured != here:
        raise BadExport(
            f"the evaluation is of weights {measured[:12]}, the candidate has {here[:12]}: "
            "evaluate the prepared candidate, whose weights are rounded as they are served"
        )
