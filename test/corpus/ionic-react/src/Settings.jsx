import { useEffect, useState } from "react";
import {
  IonContent, IonHeader, IonInput, IonItem, IonPage, IonRange, IonSelect, IonSelectOption, IonTitle, IonToggle, IonToolbar,
} from "@ionic/react";
import { App } from "@capacitor/app";
import { Camera, CameraResultType } from "@capacitor/camera";
import { Keyboard } from "@capacitor/keyboard";
import { Preferences } from "@capacitor/preferences";
import { StatusBar, Style } from "@capacitor/status-bar";

export default function Settings() {
  const [name, setName] = useState("");
  const [photo, setPhoto] = useState("");
  const [version, setVersion] = useState("");
  useEffect(() => {
    Preferences.get({ key: "name" }).then((v) => setName(v.value ?? ""));
    App.getInfo().then((i) => setVersion(i.version));
  }, []);
  async function save() {
    await Preferences.set({ key: "name", value: name });
    await Keyboard.hide();
  }
  async function take() {
    setPhoto((await Camera.getPhoto({ quality: 80, resultType: CameraResultType.Uri })).webPath);
  }
  return (
    <IonPage>
      <IonHeader><IonToolbar><IonTitle>Settings {version}</IonTitle></IonToolbar></IonHeader>
      <IonContent>
        <IonItem><IonInput label="Name" value={name} onIonInput={(e) => setName(e.detail.value)} onIonBlur={save} /></IonItem>
        <IonItem button onClick={take}>{photo ? <img src={photo} alt="" /> : "Photo"}</IonItem>
        <IonItem>
          <IonToggle onIonChange={(e) => StatusBar.setStyle({ style: e.detail.checked ? Style.Dark : Style.Light })}>Dark</IonToggle>
        </IonItem>
        <IonItem><IonRange label="Size" min={1} max={10} /></IonItem>
        <IonItem><IonSelect label="Language"><IonSelectOption value="en">English</IonSelectOption></IonSelect></IonItem>
      </IonContent>
    </IonPage>
  );
}
