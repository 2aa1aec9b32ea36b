"""The page and the HTTP API: `instcolor serve`.

`app` puts together what a request passes: `middleware` (hosts, origins, sizes, time), `api` (what is asked), `service`
(whose photos there are and what happens to them), `pool` (processes that decode and color, one photo each at a time),
`worker` (what runs in those processes), `messages` (what pool and worker say). `serving` is the server around it all.
`alone` writes the page as files that need none of these. Nothing here knows colors.
"""
