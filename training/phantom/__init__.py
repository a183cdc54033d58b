"""Procedural chest radiographs with known findings, reports of several sites, and follow-ups.

`findings` says what is there, `film` draws it at any resolution, `reports` puts it in a site's words,
`studies` makes whole patients from a seed, `dicom` writes them as DX objects.
"""
