// Where the service is and who calls, from the environment that ./start prints.

const { BASE, ARM, TOKEN, SUBSCRIPTION, RG, TENANT } = process.env;
if (!BASE || !ARM || !TOKEN) throw new Error("BASE, ARM or TOKEN is not set: README.md says how ./start gives them");

export const vaultUrl = BASE;
export const endpoint = ARM;
export const subscription = SUBSCRIPTION;
export const resourceGroup = RG;
export const tenant = TENANT;

/** In the place of DefaultAzureCredential: a token of `signet token create`, whatever the scope. */
export const credential = {
  getToken: async () => ({ token: TOKEN, expiresOnTimestamp: Date.now() + 3_600_000 }),
};

/** A vault at an address of its own is no subdomain of anything, which these clients want unless told otherwise. */
export const vaultOptions = { disableChallengeResourceVerification: true };
