"""Stand-ins for what lies outside the product. They run where `ENV=development`, nowhere else."""
