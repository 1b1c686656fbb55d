// The updater as Capacitor hands it to a page that has no bundler. In a
// browser there is none, and being ready means nothing.
const plugin = globalThis.Capacitor?.Plugins?.CapacitorUpdater;

export const Updater = {
  async notifyAppReady() {
    return plugin?.notifyAppReady();
  },
};
