#pragma once

#include "gateway/api/call.h"
#include "gateway/api/services.h"

/// The handlers of what an integration account has: partners, certificates, agreements.

namespace signet::gateway::api {

Result<Answer> put_partner(Services& services, const Call& call);
Result<Answer> get_partner(Services& services, const Call& call);
Result<Answer> delete_partner(Services& services, const Call& call);
Result<Answer> list_partners(Services& services, const Call& call);
Result<Answer> partner_content(Services& services, const Call& call);
Result<Answer> partner_callback_url(Services& services, const Call& call);

Result<Answer> put_certificate(Services& services, const Call& call);
Result<Answer> get_account_certificate(Services& services, const Call& call);
Result<Answer> delete_account_certificate(Services& services, const Call& call);
Result<Answer> list_account_certificates(Services& services, const Call& call);

/// Agreements of types that Signet does not speak (X12, Edifact) are kept and given back as they came.
Result<Answer> put_agreement(Services& services, const Call& call);
Result<Answer> get_agreement(Services& services, const Call& call);
Result<Answer> delete_agreement(Services& services, const Call& call);
Result<Answer> list_agreements(Services& services, const Call& call);
Result<Answer> agreement_content(Services& services, const Call& call);
Result<Answer> agreement_callback_url(Services& services, const Call& call);

}  // namespace signet::gateway::api
