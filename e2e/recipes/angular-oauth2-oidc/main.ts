import "@angular/compiler"; // only here: this example is compiled in the browser. The Angular CLI compiles yours
import { provideHttpClient } from "@angular/common/http";
import { bootstrapApplication } from "@angular/platform-browser";
import { provideOAuthClient } from "angular-oauth2-oidc";
import { App } from "./app.js";

bootstrapApplication(App, { providers: [provideHttpClient(), provideOAuthClient()] });
