"""A network in a local folder: how it is loaded, adapted (LoRA), and written again, also where it is sharded.

What a stage writes is a whole network in Hugging Face layout. LoRA adapters are merged into the weights they were
trained on before the next stage starts: GRPOTrainer takes the KL of a LoRA run to the network without its adapter,
which must be the policy of the stage before, not the base model.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor

from training import ranks
from training.config import BadRunConfig, Checkpoint

if TYPE_CHECKING:
    from peft import LoraConfig

# The language model's projections: vLLM has no LoRA for the vision tower, and merged weights stay comparable.
_ADAPTED = r".*language_model.*\.(?:q|k|v|o|gate|up|down)_proj"


def load(checkpoint: Checkpoint) -> Any:
    """The network with its frozen parts frozen. Raises BadRunConfig where the folder is none.

    Call it after the trainer's arguments are made: ZeRO-3 shards while loading only if it is known by then.
    """
    folder = _folder(checkpoint)
    dtype = getattr(torch, checkpoint.dtype)
    network = AutoModelForImageTextToText.from_pretrained(folder, dtype=dtype, local_files_only=True)
    if checkpoint.freeze_vision:
        network.model.visual.requires_grad_(requires_grad=False)
    return network


def processor(checkpoint: Checkpoint, image_size: int) -> Any:
    """The folder's processor, held to films of image_size x image_size px (a count of pixels bounds both edges)."""
    made = AutoProcessor.from_pretrained(_folder(checkpoint), local_files_only=True)
    tile = made.image_processor.patch_size * made.image_processor.merge_size
    if image_size % tile:
        raise BadRunConfig(f"manifest.image_size {image_size} is no multiple of {tile} px, the patches of this network")
    made.image_processor.size = {"shortest_edge": image_size**2, "longest_edge": image_size**2}
    return made


def _folder(checkpoint: Checkpoint) -> Path:
    folder = Path(checkpoint.path)
    if not (folder / "config.json").is_file():
        raise BadRunConfig(f"checkpoint.path {folder} holds no network (config.json); nothing is downloaded: fetch it")
    return folder


def lora(checkpoint: Checkpoint) -> LoraConfig | None:
    """The adapter's configuration, None where all weights are trained."""
    if not checkpoint.lora_rank:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=checkpoint.lora_rank,
        lora_alpha=checkpoint.lora_alpha or 2 * checkpoint.lora_rank,
        lora_dropout=checkpoint.lora_dropout,
        target_modules=_ADAPTED,
        task_type="CAUSAL_LM",
    )


def write(trainer: Any, checkpoint: Checkpoint, out: Path) -> None:
    """The trained network and its processor into `out`; every process calls it, shards are gathered by the trainer."""
    adapter = out / "adapter"
    trainer.save_model(str(adapter if checkpoint.lora_rank else out))
    trainer.accelerator.wait_for_everyone()
    if not ranks.RANK:
        if checkpoint.lora_rank:
            merge(checkpoint, adapter, out)
        trainer.processing_class.save_pretrained(out)


def write_again(checkpoint: Checkpoint, saved: Path, processing: Any, out: Path) -> None:
    """The weights of an earlier save (a trainer's checkpoint, or the folder the stage started from) into `out`."""
    if (saved / "adapter_config.json").is_file():
        merge(checkpoint, saved, out)
    else:
        AutoModelForImageTextToText.from_pretrained(saved, dtype="auto", local_files_only=True).save_pretrained(out)
    processing.save_pretrained(out)


def merge(checkpoint: Checkpoint, adapter: Path, out: Path) -> None:
    """checkpoint.path + adapter -> out, summed in float32, written in the checkpoint's dtype."""
    from peft import PeftModel

    base = AutoModelForImageTextToText.from_pretrained(checkpoint.path, dtype=torch.float32, local_files_only=True)
    merged = PeftModel.from_pretrained(base, adapter).merge_and_unload(safe_merge=True)
    merged.to(getattr(torch, checkpoint.dtype)).save_pretrained(out)
