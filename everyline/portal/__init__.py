"""The portal: what customers see of the organisation, at ``/help`` and at the root of each brand's own domain."""
