"""Tests of the service; they run against real peers (Orthanc, DCMTK, PostgreSQL, Redis, Chromium)."""
