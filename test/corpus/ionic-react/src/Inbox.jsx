import { useState } from "react";
import {
  IonContent, IonDatetime, IonHeader, IonItem, IonLabel, IonList, IonModal, IonPage, IonRefresher, IonRefresherContent,
  IonSearchbar, IonTitle, IonToolbar, useIonAlert, useIonToast,
} from "@ionic/react";
import { Haptics, ImpactStyle } from "@capacitor/haptics";

export default function Inbox() {
  const [mails, setMails] = useState([]);
  const [open, setOpen] = useState(false);
  const [alert] = useIonAlert();
  const [toast] = useIonToast();
  async function refresh(e) {
    const answer = await fetch("https://api.acme.test/mails");
    setMails(await answer.json());
    e.detail.complete();
  }
  async function remove(m) {
    await Haptics.impact({ style: ImpactStyle.Light });
    await alert({
      header: "Delete?",
      buttons: ["No", { text: "Yes", handler: () => setMails(mails.filter((x) => x.id !== m.id)) }],
      onDidDismiss: () => toast("Done", 1000),
    });
  }
  return (
    <IonPage>
      <IonHeader><IonToolbar><IonTitle>Inbox</IonTitle><IonSearchbar /></IonToolbar></IonHeader>
      <IonContent>
        <IonRefresher slot="fixed" onIonRefresh={refresh}><IonRefresherContent /></IonRefresher>
        <IonList>
          {mails.map((m) => (
            <IonItem key={m.id} button onClick={() => remove(m)}><IonLabel>{m.subject}</IonLabel></IonItem>
          ))}
          <IonItem button onClick={() => setOpen(true)}>When</IonItem>
        </IonList>
        <IonModal isOpen={open} onDidDismiss={() => setOpen(false)}><IonDatetime /></IonModal>
      </IonContent>
    </IonPage>
  );
}
