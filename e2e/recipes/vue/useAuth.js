import { readonly, ref, shallowRef } from "vue";
import { userManager } from "./auth.js";

const user = shallowRef(null);
const error = ref("");
const say = ({ message }) => {
  error.value = message;
};
userManager.events.addUserLoaded((loaded) => {
  user.value = loaded;
});

/** The user and the actions, for every component. */
export function useAuth() {
  return {
    user: readonly(user),
    error: readonly(error),
    signIn: () => userManager.signinRedirect().catch(say),
    renew: () => userManager.signinSilent().catch(say),
    signOut: () => userManager.signoutRedirect().catch(say),
  };
}

/** Reads the stored user of this tab. Call it once, before the app starts. */
export async function startAuth() {
  user.value = await userManager.getUser();
}
