//! Every byte that others see: requests, the gate, answers, api-versions, errors.
