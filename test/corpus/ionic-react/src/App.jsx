import { Navigate, Route } from "react-router-dom";
import {
  IonApp, IonIcon, IonLabel, IonRouterOutlet, IonTabBar, IonTabButton, IonTabs, setupIonicReact,
} from "@ionic/react";
import { IonReactRouter } from "@ionic/react-router";
import { mailOutline, settingsOutline } from "ionicons/icons";
import Inbox from "./Inbox.jsx";
import Settings from "./Settings.jsx";

import "@ionic/react/css/core.css";
import "@ionic/react/css/normalize.css";
import "@ionic/react/css/structure.css";
import "@ionic/react/css/typography.css";
import "@ionic/react/css/palettes/dark.system.css";

setupIonicReact();

export default function App() {
  return (
    <IonApp>
      <IonReactRouter>
        <IonTabs>
          <IonRouterOutlet>
            <Route path="/inbox" element={<Inbox />} />
            <Route path="/settings" element={<Settings />} />
            <Route path="/" element={<Navigate to="/inbox" replace />} />
          </IonRouterOutlet>
          <IonTabBar slot="bottom">
            <IonTabButton tab="inbox" href="/inbox"><IonIcon icon={mailOutline} /><IonLabel>Inbox</IonLabel></IonTabButton>
            <IonTabButton tab="settings" href="/settings"><IonIcon icon={settingsOutline} /><IonLabel>Settings</IonLabel></IonTabButton>
          </IonTabBar>
        </IonTabs>
      </IonReactRouter>
    </IonApp>
  );
}
