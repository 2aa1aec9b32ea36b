"""The page and the HTTP API: `instcolor serve`.

`app` puts together what a request passes: `safety` (hosts, origins, sizes, time), `api` (what is asked), `desk` (whose
photos there are and what happens to them), `pool` (processes that decode and colour, one photo each at a time),
`worker` (what runs in those processes). `serving` is the server around it all. Nothing here knows colours.
"""
