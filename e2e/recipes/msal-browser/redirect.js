import { broadcastResponseToMainFrame } from "@azure/msal-browser/redirect-bridge";

await broadcastResponseToMainFrame(); // with a page, in a popup and in a hidden iframe
