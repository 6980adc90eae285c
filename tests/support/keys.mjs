/** A device's own passkeys, as Chromium plays one (WebAuthn's virtual authenticators, over the DevTools protocol). */

/** Gives the page's device a place for passkeys; whoever holds the device unlocks it when asked. */
export async function holdKeys(page) {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return {
    /** The keys on this device. */
    async all() {
      return (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials;
    },
    /** The person's other device has the key too, as those of one cloud account do. */
    async give(credential) {
      await cdp.send('WebAuthn.addCredential', { authenticatorId, credential });
    },
    /** Whether finger, face or PIN are right from now on. */
    async unlock(isUserVerified) {
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified });
    },
  };
}

/** The button that asks for a passkey, and what is said when none counted. */
export const keyButton = (page) => page.locator('[data-passkey-button]');
export const keyComplaint = (page) => page.locator('[data-passkey-complaint]');
