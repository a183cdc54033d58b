"""Imported by verl itself (VERL_USE_EXTERNAL_MODULES): registers what this recipe adds."""

from training.verl.advantage import register

register()
