"""DICOMweb (PS3.18): QIDO-RS and WADO-RS over what was received, as it was sent and as a viewer should draw it."""
