import { broadcastResponseToMainFrame } from "@azure/msal-browser/redirect-bridge";

await broadcastResponseToMainFrame(); // in a whole page, in a popup and in a hidden iframe
