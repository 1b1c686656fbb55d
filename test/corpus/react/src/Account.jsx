import { useState } from "react";
import { createClient } from "@supabase/supabase-js";
import { Camera, CameraResultType } from "@capacitor/camera";
import { Capacitor, CapacitorHttp } from "@capacitor/core";

const backend = createClient("https://api.acme.test", "public-anonymous");

export default function Account() {
  const [photo, setPhoto] = useState("");
  async function take() {
    const p = await Camera.getPhoto({ quality: 80, resultType: CameraResultType.Uri });
    setPhoto(p.webPath);
    await CapacitorHttp.post({ url: "https://api.acme.test/photo", data: { from: Capacitor.getPlatform() } });
    await backend.from("photos").insert({ path: p.webPath });
  }
  return (
    <section>
      <button onClick={take}>Photo</button>
      {photo && <img src={photo} alt="" />}
    </section>
  );
}
