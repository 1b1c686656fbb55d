import { createApp } from "vue";
import { createPinia } from "pinia";
import { createI18n } from "vue-i18n";
import { createRouter, createWebHashHistory } from "vue-router";
import { CapacitorUpdater } from "@capgo/capacitor-updater";
import App from "./App.vue";
import Places from "./Places.vue";

const router = createRouter({
  history: createWebHashHistory(),
  routes: [
    { path: "/", component: Places },
    { path: "/map", component: () => import("./Map.vue") },
    { path: "/notes", component: () => import("./Notes.vue") },
  ],
});
const i18n = createI18n({ legacy: false, locale: "en", messages: { en: { places: "{n} places", map: "Map", notes: "Notes" } } });

CapacitorUpdater.notifyAppReady();
createApp(App).use(createPinia()).use(i18n).use(router).mount("#app");
