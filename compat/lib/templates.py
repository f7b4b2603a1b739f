"""The templates of the control plane's cases: a VM with the extension, and a scale set with it, as Azure's own article
on the extension has them."""

import json
from pathlib import Path

VM, SCALE_SET = (json.loads(Path(__file__).with_name(f"template-{name}.json").read_text()) for name in ("vm", "scale-set"))


def write(folder: Path) -> tuple[Path, Path]:
    """Writes both files. The VM's holds what a strict reader of JSON would refuse and `az` passes on: comments, CR and LF and
    a mark of byte order; `az` itself refuses a trailing comma."""
    vm, scale_set = folder / "vmext.json", folder / "vmssext.json"
    text = json.dumps(VM, indent=2).replace('"resources": [', '"resources": [ // what is made\n /* two of them */', 1)
    text = text.replace('"parameters": {},', '"parameters": {},\n  // none\n', 1)
    vm.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    scale_set.write_text(json.dumps(SCALE_SET, indent=2))
    return vm, scale_set
