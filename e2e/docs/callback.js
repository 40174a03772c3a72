import { UserManager } from "oidc-client-ts";
import { comeBack } from "./renewal-ladder.js";
import { settings } from "./settings.js";

const { page = "/" } = await comeBack(new UserManager(settings)); // instead of signinCallback()
if (parent === self) location.replace(page);
