import { ChangeDetectorRef, Component, inject } from "@angular/core";
import { OidcSecurityService } from "angular-auth-oidc-client";

@Component({
  selector: "app-root",
  template: `
    <h1>Hello <span id="name">{{ name }}</span></h1>
    <p>The access token ends with <code id="token">{{ token }}</code></p>
    <p id="error" role="alert">{{ error }}</p>
    <button id="sign-in" (click)="oidc.authorize()">Sign in</button>
    <button id="renew" (click)="renew()">Renew</button>
    <button id="sign-out" (click)="signOut()">Sign out</button>
  `,
})
export class App {
  readonly oidc = inject(OidcSecurityService);
  readonly changes = inject(ChangeDetectorRef);
  name = "";
  token = "";
  error = "";

  constructor() {
    this.oidc.userData$.subscribe(({ userData }) => this.show({ name: userData?.name ?? "" }));
    this.oidc.checkAuth().subscribe(({ accessToken }) => this.show({ token: accessToken?.slice(-8) ?? "" }));
  }

  renew() {
    this.oidc.forceRefreshSession().subscribe({
      next: (result) => this.show({ token: result?.accessToken?.slice(-8) ?? "", error: result?.errorMessage ?? "" }),
      error: (error) => this.show({ error: String(error) }),
    });
  }

  signOut() {
    this.oidc.logoff().subscribe();
  }

  show(shown: Partial<App>) {
    Object.assign(this, shown);
    this.changes.markForCheck();
  }
}
