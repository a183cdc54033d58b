#!/usr/bin/env bash
# One GRPO stage on a Ray cluster that is up.
# usage: training/verl/launch.sh RUN.toml STAGE DATA NODES GPUS_PER_NODE [more Hydra overrides]
#   head node:    ray start --head --dashboard-host=0.0.0.0
#   other nodes:  ray start --address=HEAD:6379
# DATA is what `python -m training.verl.prepare RUN.toml STAGE DATA` wrote, at the same path on every node.
set -euo pipefail
[ $# -ge 5 ] || { sed -n '2,6p' "$0" >&2; exit 64; }
run=$(realpath "$1") stage=$2 data=$(realpath "$3") nodes=$4 gpus=$5
shift 5
here=$(cd "$(dirname "$0")" && pwd)
overrides=$(python -m training.verl.settings "$run" "$stage" "$data" "$nodes" "$gpus")
mapfile -t settings <<<"$overrides"
environment=$(python - "$here/runtime_env.yaml" "$run" "$stage" <<'PYTHON'
import json, os, sys, yaml
made = yaml.safe_load(open(sys.argv[1]))
made["env_vars"] |= {"UNIRG_RL_RUN": sys.argv[2], "UNIRG_RL_STAGE": sys.argv[3]}
passed = ("UNIRG_JUDGE_URL", "UNIRG_JUDGE_MODEL", "UNIRG_RL_REWARD_DEVICE")  # never the judge's key: Ray shows these
made["env_vars"] |= {name: os.environ[name] for name in passed if name in os.environ}
print(json.dumps(made))
PYTHON
)
exec ray job submit --runtime-env-json "$environment" -- \
  python -m verl.trainer.main_ppo --config-path "$here" --config-name recipe "${settings[@]}" "$@"
