import { useState } from "react";
import { useQuery } from "@tanstack/react-query";
import axios from "axios";
import { z } from "zod";

const orders = z.array(z.object({ id: z.number(), title: z.string().min(1), total: z.number() }));

export default function Orders() {
  const [filter, setFilter] = useState("");
  const q = useQuery({
    queryKey: ["orders"],
    queryFn: async () => orders.parse((await axios.get("https://api.acme.test/orders")).data),
  });
  if (q.error) return <p role="alert">{String(q.error)}</p>;
  return (
    <section>
      <input value={filter} onChange={(e) => setFilter(e.target.value)} />
      <ul>
        {(q.data ?? []).filter((o) => o.title.includes(filter)).map((o) => (
          <li key={o.id}>{o.title}: {o.total}</li>
        ))}
      </ul>
    </section>
  );
}
