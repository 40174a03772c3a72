import { createApp } from "vue";
import App from "./App.vue";
import { userManager } from "./auth.js";
import { startAuth } from "./useAuth.js";

if (location.pathname === "/callback") {
  await userManager.signinCallback(); // in a whole page, in a popup and in a hidden iframe
  if (window.self === window.top) location.replace("/");
} else {
  await startAuth();
  createApp(App).mount("#app");
}
