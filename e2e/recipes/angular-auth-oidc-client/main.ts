import "@angular/compiler"; // only in this example: the browser compiles it. The Angular CLI compiles your app
import { provideHttpClient } from "@angular/common/http";
import { bootstrapApplication } from "@angular/platform-browser";
import { provideRouter } from "@angular/router";
import { provideAuth } from "angular-auth-oidc-client";
import { App } from "./app.js";
import { auth } from "./auth.js";

bootstrapApplication(App, { providers: [provideHttpClient(), provideRouter([]), provideAuth(auth)] });
