import { bootstrapApplication } from "@angular/platform-browser";
import { provideHttpClient } from "@angular/common/http";
import { provideRouter, withHashLocation } from "@angular/router";
import { CapacitorUpdater } from "@capgo/capacitor-updater";
import { App } from "./app";

bootstrapApplication(App, {
  providers: [
    provideHttpClient(),
    provideRouter(
      [
        { path: "", loadComponent: () => import("./list").then((m) => m.List) },
        { path: "new", loadComponent: () => import("./edit").then((m) => m.Edit) },
      ],
      withHashLocation(),
    ),
  ],
}).then(() => CapacitorUpdater.notifyAppReady());
