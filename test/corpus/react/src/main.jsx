import { StrictMode, lazy, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { HashRouter, Link, Route, Routes } from "react-router-dom";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import i18n from "i18next";
import { initReactI18next } from "react-i18next";
import { CapacitorUpdater } from "@capgo/capacitor-updater";
import Orders from "./Orders.jsx";

const Chart = lazy(() => import("./Sales.jsx"));
const Account = lazy(() => import("./Account.jsx"));

i18n.use(initReactI18next).init({
  lng: "en",
  resources: { en: { translation: { orders: "Orders", sales: "Sales", account: "Account" } } },
});
CapacitorUpdater.notifyAppReady();

createRoot(document.getElementById("app")).render(
  <StrictMode>
    <QueryClientProvider client={new QueryClient()}>
      <HashRouter>
        <nav>
          <Link to="/">{i18n.t("orders")}</Link> <Link to="/sales">{i18n.t("sales")}</Link>{" "}
          <Link to="/account">{i18n.t("account")}</Link>
        </nav>
        <Suspense fallback={<p>…</p>}>
          <Routes>
            <Route path="/" element={<Orders />} />
            <Route path="/sales" element={<Chart />} />
            <Route path="/account" element={<Account />} />
          </Routes>
        </Suspense>
      </HashRouter>
    </QueryClientProvider>
  </StrictMode>,
);
