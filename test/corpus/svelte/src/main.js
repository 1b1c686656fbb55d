import { mount } from "svelte";
import * as Sentry from "@sentry/browser";
import { CapacitorUpdater } from "@capgo/capacitor-updater";
import App from "./App.svelte";

Sentry.init({ dsn: "https://0123456789abcdef@errors.acme.test/1", tracesSampleRate: 0 });
CapacitorUpdater.notifyAppReady();
mount(App, { target: document.getElementById("app") });
