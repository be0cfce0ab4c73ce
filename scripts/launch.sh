# Sourced by the run_*.sh of the recipes: finds Python, chooses scale and model where the user did not.
set -euo pipefail

launch() { # launch MODULE MODEL_WITHOUT_GPU [argument ...]
    local module=$1 small_model=$2 root python chosen=()
    shift 2
    root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
    python=$root/.venv/bin/python
    [ -x "$python" ] || python=python3
    if ! "$python" -c "import verl_ext" 2>/dev/null; then
        echo "error: not installed; run scripts/setup.sh first" >&2
        exit 2
    fi
    case " $* " in
        *" scale="* | *" --help "* | *" -h "*) ;;
        *)
            if nvidia-smi >/dev/null 2>&1; then
                if [ "$(nvidia-smi -L | wc -l)" -ge 8 ]; then
                    chosen=(scale=node8)
                    [[ " $* " == *" model="* ]] || chosen+=(model=qwen2_5_32b)
                else
                    chosen=(scale=gpu1)
                    [[ " $* " == *" model="* ]] || chosen+=(model=qwen2_5_0_5b)
                fi
                echo "no scale given: ${chosen[*]}" >&2
            else
                chosen=(scale=cpu)
                [[ " $* " == *" model="* ]] || chosen+=("model=$small_model")
                echo "no GPU found: ${chosen[*]}" >&2
            fi
            ;;
    esac
    exec "$python" -m "$module" "${chosen[@]}" "$@"
}
