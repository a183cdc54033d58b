"""Puts the .pth file beside the module, in the wheel too: setuptools has no declarative way to do that."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HOOK = "unirg_torchvision_cpu.pth"


class BuildWithHook(build_py):
    """build_py that also carries the start-up hook, so that pip records it and removes it on uninstall."""

    def run(self) -> None:
        """Build the module, then copy the hook to the top of the build (site-packages when installed)."""
        super().run()
        self.copy_file(str(Path(__file__).with_name(HOOK)), str(Path(self.build_lib) / HOOK))

    def get_outputs(self, include_bytecode: int = 1) -> list[str]:
        """Name the hook among the built files."""
        return [*super().get_outputs(include_bytecode), str(Path(self.build_lib) / HOOK)]


setup(cmdclass={"build_py": BuildWithHook})
