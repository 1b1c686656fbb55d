import { defineStore } from "pinia";

export const usePlaces = defineStore("places", {
  state: () => ({ list: [] }),
  actions: {
    async load() {
      const answer = await fetch("https://api.acme.test/places");
      if (!answer.ok) throw new Error("places: " + answer.status);
      this.list = await answer.json();
    },
  },
});
