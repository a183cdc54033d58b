"""The service: a chest radiograph comes in over DICOM, a reviewed and signed report goes out."""
