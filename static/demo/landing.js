// The start page: the picture of a silent renewal.

import { byId } from "../shared/dom.js";
import { tellings } from "../shared/renewal.js";
import { createPicture } from "./lib/picture.js";

createPicture(byId("picture"), tellings.spa);
