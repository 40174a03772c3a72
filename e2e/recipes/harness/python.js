// The interpreter with the packages of requirements.txt. make recipes installs them.

import { fileURLToPath } from "node:url";

export const python = fileURLToPath(new URL("../../../bin/recipes-python/bin/python", import.meta.url));
