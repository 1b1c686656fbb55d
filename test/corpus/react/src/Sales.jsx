import { useEffect, useRef } from "react";
import { Chart, registerables } from "chart.js";

Chart.register(...registerables);

export default function Sales() {
  const ref = useRef(null);
  useEffect(() => {
    const chart = new Chart(ref.current, {
      type: "bar",
      data: { labels: ["a", "b"], datasets: [{ label: "Sales", data: [1, 2] }] },
    });
    return () => chart.destroy();
  }, []);
  return <canvas ref={ref} />;
}
