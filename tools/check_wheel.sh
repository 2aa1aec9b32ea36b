#!/usr/bin/env bash
# Installs a wheel into a clean environment, with the lowest or the newest version of each dependency, and uses it as its user
# would: the command, the library, the server.     tools/check_wheel.sh dist/*.whl 3.11 lowest-direct|highest   (needs uv)
set -euo pipefail
wheel=$(realpath "$1") python=$2 resolution=$3
photos=$(realpath "$(dirname "$0")/../examples/photos")
cd "$(mktemp -d)"
trap 'rm -rf "$PWD"' EXIT
uv venv --quiet --python "$python" env
uv pip install --quiet --python env --resolution "$resolution" "$wheel[serve]"
uv pip list --python env
export PATH=$PWD/env/bin:$PATH
instcolor "$photos/cameraman.jpg" --out command.jpg
instcolor detect "$photos/sheep.jpg"
instcolor models
instcolor plugin install comfyui --to nodes
python - "$photos/cat.jpg" <<'EOF'
import sys

from instcolor import Colorizer

photo = Colorizer().colorize(sys.argv[1])
assert abs(photo.ab).mean() > 3, "the library's result is gray"
photo.save("library.png")
EOF
instcolor serve --port 8765 &
server=$!
trap 'kill $server; rm -rf "$PWD"' EXIT
curl --silent --fail --retry 20 --retry-connrefused --retry-delay 1 -F "photo=@$photos/cat.jpg" \
  http://127.0.0.1:8765/api/colorize --output server.jpg
python -c '
from PIL import Image

for name in "command.jpg", "library.png", "server.jpg":
    assert Image.open(name).convert("RGB").convert("HSV").getextrema()[1][1] > 30, name + " is gray"
'
echo "$(basename "$wheel") works with Python $python and $resolution dependencies"
