import { ChangeDetectorRef, Component, inject } from "@angular/core";
import { type OAuthErrorEvent, OAuthService } from "angular-oauth2-oidc";
import { auth } from "./auth.js";

@Component({
  selector: "app-root",
  template: `
    <h1>Hello <span id="name">{{ name }}</span></h1>
    <p>The access token ends with <code id="token">{{ token }}</code></p>
    <p id="error" role="alert">{{ error }}</p>
    <button id="sign-in" (click)="oauth.initCodeFlow()">Sign in</button>
    <button id="renew" (click)="renew()">Renew</button>
    <button id="sign-out" (click)="oauth.logOut()">Sign out</button>
  `,
})
export class App {
  readonly oauth = inject(OAuthService);
  readonly changes = inject(ChangeDetectorRef);
  name = "";
  token = "";
  error = "";

  constructor() {
    this.oauth.configure(auth);
    this.oauth.setupAutomaticSilentRefresh(); // at 75 % of the lifetime
    this.oauth.events.subscribe(({ type }) => type === "token_received" && this.show());
    this.oauth.loadDiscoveryDocumentAndTryLogin().then(() => this.show());
  }

  renew() {
    this.oauth.silentRefresh().then(
      () => this.show(),
      ({ reason }: OAuthErrorEvent) => this.say(JSON.stringify((reason as OAuthErrorEvent)?.params ?? reason)),
    );
  }

  async show() {
    if (this.oauth.hasValidAccessToken()) {
      this.token = this.oauth.getAccessToken().slice(-8);
      this.name = ((await this.oauth.loadUserProfile()) as { info: { name: string } }).info.name;
    }
    this.changes.markForCheck();
  }

  say(error: string) {
    this.error = error;
    this.changes.markForCheck();
  }
}
