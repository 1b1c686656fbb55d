import { createRoot } from "react-dom/client";
import { CapacitorUpdater } from "@capgo/capacitor-updater";
import App from "./App.jsx";

createRoot(document.getElementById("app")).render(<App />);
CapacitorUpdater.notifyAppReady();
