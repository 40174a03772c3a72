import "@angular/compiler"; // only in this example: the browser compiles it. The Angular CLI compiles your app
import { provideHttpClient } from "@angular/common/http";
import { bootstrapApplication } from "@angular/platform-browser";
import { provideOAuthClient } from "angular-oauth2-oidc";
import { App } from "./app.js";

bootstrapApplication(App, { providers: [provideHttpClient(), provideOAuthClient()] });
