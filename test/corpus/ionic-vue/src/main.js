import { createApp } from "vue";
import { IonicVue } from "@ionic/vue";
import { createRouter, createWebHistory } from "@ionic/vue-router";
import { CapacitorUpdater } from "@capgo/capacitor-updater";
import App from "./App.vue";

import "@ionic/vue/css/core.css";
import "@ionic/vue/css/normalize.css";
import "@ionic/vue/css/structure.css";
import "@ionic/vue/css/typography.css";
import "@ionic/vue/css/padding.css";
import "@ionic/vue/css/flex-utils.css";
import "@ionic/vue/css/display.css";
import "@ionic/vue/css/palettes/dark.system.css";

const router = createRouter({
  history: createWebHistory(import.meta.env.BASE_URL),
  routes: [
    { path: "/", redirect: "/tabs/inbox" },
    {
      path: "/tabs/",
      component: () => import("./Tabs.vue"),
      children: [
        { path: "inbox", component: () => import("./Inbox.vue") },
        { path: "settings", component: () => import("./Settings.vue") },
      ],
    },
  ],
});

const app = createApp(App).use(IonicVue).use(router);
router.isReady().then(() => {
  app.mount("#app");
  CapacitorUpdater.notifyAppReady();
});
